<?php

use Doctrine\Common\Collections\ArrayCollection;
use Doctrine\Common\Collections\Collection;
use Doctrine\ORM\Mapping as ORM;
use DtModel\AuditColumns;
use DtModel\BaseColumns;
use DtModel\DeletedByColumn;
use DtModel\SlugColumn;
use DtModel\SoftDeleteColumns;
use DtModel\VersionColumn;

#[ORM\Entity, ORM\Table(name: 'users')]
#[ORM\UniqueConstraint(name: 'uq_users_email', columns: ['email'], options: ['where' => '(NOT is_deleted)'])]
class User
{
    use BaseColumns, SoftDeleteColumns;

    #[ORM\Column(type: 'json', nullable: true, options: ['jsonb' => true])]
    public ?array $settings = null;

    #[ORM\OneToMany(targetEntity: Post::class, mappedBy: 'user', cascade: ['persist', 'remove'])]
    public Collection $posts;

    public function __construct(
        #[ORM\Column(type: 'text')] public string $name,
        #[ORM\Column(type: 'text')] public string $email,
    ) {
        $this->posts = new ArrayCollection;
    }
}

#[ORM\Entity, ORM\Table(name: 'posts')]
#[ORM\UniqueConstraint(name: 'uq_posts_slug', columns: ['slug'], options: ['where' => '(NOT is_deleted)'])]
class Post
{
    use BaseColumns, SoftDeleteColumns, DeletedByColumn, AuditColumns, VersionColumn, SlugColumn;

    #[ORM\ManyToMany(targetEntity: Tag::class, inversedBy: 'posts'), ORM\JoinTable(name: 'post_tags')]
    #[ORM\JoinColumn(onDelete: 'CASCADE'), ORM\InverseJoinColumn(onDelete: 'CASCADE')]
    public Collection $tags;

    public function __construct(
        #[ORM\ManyToOne(targetEntity: User::class, inversedBy: 'posts'), ORM\JoinColumn(nullable: false, onDelete: 'CASCADE')]
        public User $user,
        #[ORM\Column(type: 'text')] public string $title,
    ) {
        $this->tags = new ArrayCollection;
        $user->posts->add($this);
    }
}

#[ORM\Entity, ORM\Table(name: 'tags')]
class Tag
{
    use BaseColumns;

    #[ORM\ManyToMany(targetEntity: Post::class, mappedBy: 'tags')]
    public Collection $posts;

    public function __construct(#[ORM\Column(type: 'text', unique: true)] public string $name)
    {
        $this->posts = new ArrayCollection;
    }
}

<?php

/*
 * The columns of the mixins, for entities that are mapped by attributes. The database
 * writes them, Doctrine reads them after each INSERT and UPDATE. They say what add_*
 * makes, so that the schema tool sees no difference. (columnDefinition is for CREATE
 * TABLE, since Doctrine writes a default that is a function as a string.)
 */

namespace DtModel;

use DateTimeImmutable;
use Doctrine\ORM\Mapping as ORM;

trait BaseColumns
{
    #[ORM\Id, ORM\GeneratedValue(strategy: 'CUSTOM'), ORM\CustomIdGenerator(class: UuidV7::class)]
    #[ORM\Column(type: 'guid', options: ['default' => 'dtmodel.uuidv7()'], columnDefinition: 'UUID DEFAULT dtmodel.uuidv7() NOT NULL')]
    public ?string $id = null;

    use TimestampColumns;
}

trait TimestampColumns
{
    #[ORM\Column(type: 'datetimetz', insertable: false, updatable: false, generated: 'ALWAYS', options: ['default' => 'now()'],
        columnDefinition: 'TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL')]
    public ?DateTimeImmutable $createdAt = null;

    #[ORM\Column(type: 'datetimetz', insertable: false, updatable: false, generated: 'ALWAYS', options: ['default' => 'now()'],
        columnDefinition: 'TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL')]
    public ?DateTimeImmutable $updatedAt = null;
}

trait SoftDeleteColumns
{
    #[ORM\Column(type: 'boolean', insertable: false, updatable: false, generated: 'ALWAYS', options: ['default' => false])]
    public bool $isDeleted = false;

    #[ORM\Column(type: 'datetimetz', nullable: true, insertable: false, updatable: false, generated: 'ALWAYS')]
    public ?DateTimeImmutable $deletedAt = null;
}

trait DeletedByColumn
{
    #[ORM\Column(type: 'text', nullable: true, insertable: false, updatable: false, generated: 'ALWAYS')]
    public ?string $deletedBy = null;
}

trait AuditColumns
{
    #[ORM\Column(type: 'text', nullable: true, insertable: false, updatable: false, generated: 'ALWAYS')]
    public ?string $createdBy = null;

    #[ORM\Column(type: 'text', nullable: true, insertable: false, updatable: false, generated: 'ALWAYS')]
    public ?string $updatedBy = null;
}

/** Of the entity's table: UniqueConstraint(name: 'uq_posts_slug', columns: ['slug'], options: ['where' => '(NOT is_deleted)']). */
trait SlugColumn
{
    #[ORM\Column(type: 'text', nullable: true, insertable: false, updatable: false, generated: 'ALWAYS')]
    public ?string $slug = null;
}

trait VersionColumn
{
    #[ORM\Version, ORM\Column(type: 'integer')]
    public int $version = 1;
}

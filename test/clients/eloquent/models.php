<?php

use DtModel\DtModel;
use DtModel\DtSoftDeletes;
use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\SoftDeletes;

class User extends Model
{
    use DtSoftDeletes;

    protected $keyType = 'string';
    protected $guarded = [];
    protected $casts = ['settings' => 'array'];

    public function posts()
    {
        return $this->hasMany(Post::class);
    }
}

class Post extends Model
{
    use DtSoftDeletes;

    protected $keyType = 'string';
    protected $guarded = [];

    public function user()
    {
        return $this->belongsTo(User::class);
    }

    public function tags()
    {
        return $this->belongsToMany(Tag::class, 'post_tag', 'post_id');
    }
}

class Tag extends Model
{
    use DtModel;

    protected $keyType = 'string';
    protected $guarded = [];

    public function posts()
    {
        return $this->belongsToMany(Post::class, 'post_tag');
    }
}

/* Without dtmodel's traits: a DELETE. */
class PlainUser extends Model
{
    public $timestamps = false;
    protected $table = 'users';
    protected $keyType = 'string';
    protected $guarded = [];

    public function posts()
    {
        return $this->hasMany(PlainPost::class, 'user_id');
    }
}

class PlainPost extends Model
{
    public $timestamps = false;
    protected $table = 'posts';
    protected $keyType = 'string';
    protected $guarded = [];
}

/* With Eloquent's own trait alone. */
class LaravelUser extends Model
{
    use SoftDeletes;

    protected $table = 'users';
    protected $keyType = 'string';
    protected $guarded = [];
}

class LaravelPost extends Model
{
    use SoftDeletes;

    protected $table = 'posts';
    protected $keyType = 'string';
    protected $guarded = [];
}

<?php

use Illuminate\Database\Capsule\Manager as DB;
use Illuminate\Database\Query\Expression;
use Illuminate\Database\Schema\Blueprint;

/* As in the up() of migrations. */
function create_blog(): void
{
    DB::schema()->create('users', function (Blueprint $table) {
        $table->uuid('id')->primary()->default(new Expression('dtmodel.uuidv7()'));
        $table->text('name');
        $table->text('email');
    });
    DB::select("select dtmodel.add_model('users')");
    DB::select("select dtmodel.add_soft_delete('users', flag => null)");
    DB::select("select dtmodel.add_settings('users', '{theme,language}', schema => '{\"theme\": {\"enum\": [\"light\", \"dark\"], \"default\": \"light\"}}')");
    DB::select("select dtmodel.unique_live('users', 'email')");

    DB::schema()->create('posts', function (Blueprint $table) {
        $table->uuid('id')->primary()->default(new Expression('dtmodel.uuidv7()'));
        $table->foreignUuid('user_id')->index()->constrained()->cascadeOnDelete();
        $table->text('title');
        $table->integer('views')->default(0);
    });
    DB::select("select dtmodel.add_model('posts')");
    DB::select("select dtmodel.add_soft_delete('posts', flag => null, deleted_by => 'deleted_by', hide => true)");
    DB::select("select dtmodel.add_audit('posts')");
    DB::select("select dtmodel.add_version('posts')");
    DB::select("select dtmodel.add_slug('posts', 'title')");

    DB::schema()->create('tags', function (Blueprint $table) {
        $table->uuid('id')->primary()->default(new Expression('dtmodel.uuidv7()'));
        $table->text('name')->unique();
    });
    DB::select("select dtmodel.add_model('tags')");

    DB::schema()->create('post_tag', function (Blueprint $table) {
        $table->foreignUuid('post_id')->constrained()->cascadeOnDelete();
        $table->foreignUuid('tag_id')->constrained()->cascadeOnDelete();
        $table->primary(['post_id', 'tag_id']);
    });
}

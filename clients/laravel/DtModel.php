<?php

namespace DtModel;

use Closure;
use Illuminate\Database\Eloquent\Builder;
use Illuminate\Database\Query\Builder as Query;

/**
 * For Eloquent models of dtmodel: an INSERT and an UPDATE return the row as stored,
 * and a save of a row that another client has changed throws a StaleModelException
 * where the table has a version.
 */
trait DtModel
{
    /** The database has the clock, and makes the key. */
    public function initializeDtModel()
    {
        $this->timestamps = false;
        $this->mergeCasts(['created_at' => 'datetime', 'updated_at' => 'datetime']);
    }

    /** What is written in the call is written by this actor. */
    public static function withActor($actor, Closure $call)
    {
        $connection = (new static)->getConnection();

        return $connection->transaction(function () use ($connection, $actor, $call) {
            $outer = $connection->selectOne("select current_setting('dtmodel.actor', true) as actor", [], false)->actor;
            $connection->select('select dtmodel.set_actor(?)', [$actor], false);
            $result = $call();
            $connection->select('select dtmodel.set_actor(?)', [(string) $outer], false);

            return $result;
        });
    }

    /** The row with these columns, or a new one. Safe if many ask at once. */
    public static function getOrCreate(array $criteria, array $defaults = [], string $onDeleted = 'ignore')
    {
        return static::callForModel('get_or_create', '?::jsonb, ?::jsonb, ?',
            [json_encode((object) $criteria), json_encode((object) $defaults), $onDeleted]);
    }

    /** Inserts a row, or updates the live row that has the same values in these columns. */
    public static function upsertLive(array $data, array $columns)
    {
        return static::callForModel('upsert', '?::jsonb, (select array_agg(c) from jsonb_array_elements_text(?::jsonb) c)::name[]',
            [json_encode((object) $data), json_encode($columns)]);
    }

    private static function callForModel(string $function, string $arguments, array $bindings)
    {
        $model = new static;
        $row = (array) $model->getConnection()->selectOne(
            "select (r.instance).*, r.created as dtmodel_created from dtmodel.$function(null::{$model->quotedTable()}, $arguments) r", $bindings, false);
        $created = array_pop($row);

        return tap($model->newFromBuilder($row), fn ($found) => $found->wasRecentlyCreated = $created);
    }

    protected function insertAndSetId(Builder $query, $attributes)
    {
        $base = $query->getQuery();
        $rows = $this->selectWritten($base, $base->getGrammar()->compileInsert($base, $attributes), array_values($attributes));
        $this->setRawAttributes((array) $rows[0]);
    }

    protected function performUpdate(Builder $query)
    {
        if ($this->fireModelEvent('updating') === false) {
            return false;
        }
        if ($this->isDirty()) {
            $row = $this->updateRow($this->getDirty());
            $this->syncChanges();
            $this->setRawAttributes($row);
            $this->fireModelEvent('updated', false);
        }

        return true;
    }

    public function touch($attribute = null)
    {
        if ($attribute) {
            $this->$attribute = $this->freshTimestamp();

            return $this->save();
        }
        $this->takeStamps($this->updateRow([$this->getUpdatedAtColumn() => $this->freshTimestampString()]));

        return true;
    }

    /** Makes a version too, so that the next save would be stale. */
    protected function incrementOrDecrement($column, $amount, $extra, $method)
    {
        $result = parent::incrementOrDecrement($column, $amount, $extra, $method);
        if ($this->exists) {
            $this->takeStamps((array) $this->setKeysForSelectQuery($this->newQueryWithoutScopes())->toBase()->first());
        }

        return $result;
    }

    private function takeStamps(array $row): void
    {
        foreach (array_intersect_key($row, array_flip(['version', 'updated_at', 'updated_by'])) as $name => $value) {
            $this->attributes[$name] = $this->original[$name] = $value;
        }
    }

    /** The row as it is after an UPDATE of the version that was read. */
    protected function updateRow(array $values): array
    {
        $base = $this->setKeysForSaveQuery($this->newModelQuery())->getQuery();
        if (array_key_exists('version', $this->original)) {
            $base->where('version', $this->original['version']);
        }
        $grammar = $base->getGrammar();
        $rows = $this->selectWritten($base, $grammar->compileUpdate($base, $values),
            $grammar->prepareBindingsForUpdate($base->getRawBindings(), $values));

        return (array) ($rows[0] ?? throw new StaleModelException($this));
    }

    private function selectWritten(Query $base, string $sql, array $bindings): array
    {
        $this->getConnection()->recordsHaveBeenModified();

        return $this->getConnection()->selectFromWriteConnection($sql.' returning *', $base->cleanBindings($bindings));
    }

    protected function quotedTable(): string
    {
        return $this->getConnection()->getQueryGrammar()->wrapTable($this->getTable());
    }
}

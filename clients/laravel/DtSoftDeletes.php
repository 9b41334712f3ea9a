<?php

namespace DtModel;

use Closure;
use Illuminate\Database\Eloquent\SoftDeletes;

/**
 * Eloquent's SoftDeletes, with its scope, withTrashed and events, for tables with
 * dtmodel.add_soft_delete(…, flag => NULL). The database deletes along foreign keys, and
 * a restore brings back what was deleted with the row.
 */
trait DtSoftDeletes
{
    use DtModel, SoftDeletes;

    /** Marks the row with an UPDATE, which counts where the library is not preloaded too. */
    protected function runSoftDelete()
    {
        $this->setRawAttributes($this->updateRow([$this->getDeletedAtColumn() => $this->freshTimestamp()]), true);
        $this->fireModelEvent('trashed', false);
    }

    /** Restores the row and what was deleted with it, also where it is hidden. */
    public function restore()
    {
        if ($this->fireModelEvent('restoring') === false) {
            return false;
        }
        $row = $this->getConnection()->selectOne(
            "select * from dtmodel.restore(null::{$this->quotedTable()}, ?)", [$this->getKey()], false);
        $this->setRawAttributes((array) $row, true);
        $this->exists = true;
        $this->fireModelEvent('restored', false);

        return true;
    }

    /** Deletes for good: as it is, a DELETE is soft. Needs the TRUNCATE privilege. */
    public function forceDelete()
    {
        return static::withSetting('hard_delete', function () {
            $this->forceDeleting = true;
            try {
                $deleted = $this->delete();
            } finally {
                $this->forceDeleting = false;
            }

            return tap($deleted, fn () => $this->fireModelEvent('forceDeleted', false));
        });
    }

    /** Shows, in the call, the rows that hide => true hides. */
    public static function withHidden(Closure $call)
    {
        return static::withSetting('with_deleted', $call);
    }

    /** A setting for the call, until the transaction ends. */
    private static function withSetting(string $name, Closure $call)
    {
        $connection = (new static)->getConnection();

        return $connection->transaction(function () use ($connection, $name, $call) {
            $outer = $connection->selectOne("select current_setting('dtmodel.$name', true) as value", [], false)->value;
            $connection->statement("set local dtmodel.$name = on");
            $result = $call();
            $connection->statement("set local dtmodel.$name = ".($outer ?: 'off'));

            return $result;
        });
    }
}

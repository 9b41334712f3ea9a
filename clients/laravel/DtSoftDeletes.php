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
        return $this->getConnection()->transaction(function () {
            $this->getConnection()->statement('set local dtmodel.hard_delete = on');
            $this->forceDeleting = true;
            try {
                $deleted = $this->delete();
            } finally {
                $this->forceDeleting = false;
            }
            $this->getConnection()->statement('set local dtmodel.hard_delete = off');

            return tap($deleted, fn () => $this->fireModelEvent('forceDeleted', false));
        });
    }

    /** Shows, in the call, the rows that hide => true hides. */
    public static function withHidden(Closure $call)
    {
        $connection = (new static)->getConnection();

        return $connection->transaction(function () use ($connection, $call) {
            $connection->statement('set local dtmodel.with_deleted = on');
            $result = $call();
            $connection->statement('set local dtmodel.with_deleted = off');

            return $result;
        });
    }
}

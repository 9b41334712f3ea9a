<?php

namespace DtModel;

use Illuminate\Database\Eloquent\Model;
use RuntimeException;

/** The row was changed or deleted since it was read. */
class StaleModelException extends RuntimeException
{
    public function __construct(public readonly Model $model)
    {
        parent::__construct(sprintf('%s %s was changed or deleted since it was read', get_class($model), $model->getKey()));
    }
}

<?php

namespace DtModel;

use Doctrine\ORM\Mapping\ClassMetadata;
use Doctrine\ORM\Query\Filter\SQLFilter;

/** Leaves deleted rows out of what the entity manager reads, preloaded or not. */
class LiveFilter extends SQLFilter
{
    public function addFilterConstraint(ClassMetadata $targetEntity, $targetTableAlias): string
    {
        return $targetEntity->hasField('isDeleted') ? "NOT $targetTableAlias.is_deleted" : '';
    }
}

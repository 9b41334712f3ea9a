<?php

namespace DtModel;

use Closure;
use Doctrine\ORM\EntityManagerInterface;
use Doctrine\ORM\EntityNotFoundException;
use Doctrine\ORM\Query;
use Doctrine\ORM\Query\ResultSetMappingBuilder;

/** Calls of dtmodel's functions that return entities. */
class Rows
{
    public function __construct(private EntityManagerInterface $em)
    {
    }

    /** Restores a row and what was deleted with it. */
    public function restore(string $class, $id): object
    {
        [$found] = $this->call($class, 'SELECT r.* FROM dtmodel.restore(NULL::%s, :id) AS r WHERE NOT r IS NULL', ['id' => $id])
            ?: [null];

        return $found[0] ?? throw EntityNotFoundException::fromClassNameAndIdentifier($class, ['id' => $id]);
    }

    /** [entity, whether it was created]. Safe if many ask at once. */
    public function getOrCreate(string $class, array $criteria, array $defaults = [], string $onDeleted = 'ignore'): array
    {
        return $this->instance($class, 'get_or_create', ':criteria::jsonb, :defaults::jsonb, :on_deleted', [
            'criteria' => json_encode((object) $criteria), 'defaults' => json_encode((object) $defaults), 'on_deleted' => $onDeleted]);
    }

    /** [entity, whether it was created]. */
    public function upsert(string $class, array $data, array $columns): array
    {
        return $this->instance($class, 'upsert', ':data::jsonb, (SELECT array_agg(c) FROM jsonb_array_elements_text(:columns::jsonb) AS c)::name[]',
            ['data' => json_encode((object) $data), 'columns' => json_encode($columns)]);
    }

    /** What is flushed in the call is written by this actor. */
    public function as($actor, Closure $call)
    {
        return $this->em->wrapInTransaction(function () use ($actor, $call) {
            $this->em->getConnection()->executeQuery('SELECT dtmodel.set_actor(?)', [(string) $actor]);

            return $call($this->em);
        });
    }

    private function instance(string $class, string $function, string $arguments, array $parameters): array
    {
        [$found] = $this->call($class, "SELECT (r.instance).*, r.created AS dtmodel_created FROM dtmodel.$function(NULL::%s, $arguments) AS r", $parameters);

        return [$found[0], $found['created']];
    }

    private function call(string $class, string $sql, array $parameters): array
    {
        $mapping = new ResultSetMappingBuilder($this->em);
        $mapping->addRootEntityFromClassMetadata($class, 'r');
        $mapping->addScalarResult('dtmodel_created', 'created', 'boolean');
        $table = $this->em->getConfiguration()->getQuoteStrategy()->getTableName(
            $this->em->getClassMetadata($class), $this->em->getConnection()->getDatabasePlatform());

        return $this->em->createNativeQuery(sprintf($sql, $table), $mapping)
            ->setHint(Query::HINT_REFRESH, true)->setParameters($parameters)->getResult();
    }
}

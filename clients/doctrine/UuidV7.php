<?php

namespace DtModel;

use Doctrine\ORM\EntityManagerInterface;
use Doctrine\ORM\Id\AbstractIdGenerator;

/** Keys from the database's own generator, since Doctrine needs them before the INSERT. */
class UuidV7 extends AbstractIdGenerator
{
    public function generateId(EntityManagerInterface $em, $entity): mixed
    {
        return $em->getConnection()->fetchOne('SELECT dtmodel.uuidv7()');
    }
}

<?php

namespace DtModel;

use DateTimeImmutable;
use Doctrine\DBAL\Platforms\AbstractPlatform;
use Doctrine\DBAL\Types\DateTimeTzImmutableType;

/**
 * timestamptz with its microseconds, which Doctrine's own type neither declares nor
 * reads. Type::overrideType('datetimetz', TimestampTz::class).
 */
class TimestampTz extends DateTimeTzImmutableType
{
    public function getSQLDeclaration(array $column, AbstractPlatform $platform): string
    {
        return 'TIMESTAMP WITH TIME ZONE';
    }

    public function convertToPHPValue($value, AbstractPlatform $platform): ?DateTimeImmutable
    {
        return is_string($value) ? new DateTimeImmutable($value) : $value;
    }

    public function convertToDatabaseValue($value, AbstractPlatform $platform): ?string
    {
        return $value?->format('Y-m-d H:i:s.uP');
    }

    public function requiresSQLCommentHint(AbstractPlatform $platform): bool
    {
        return false;
    }
}

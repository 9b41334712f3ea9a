
# Every look-up discards the caches, as an invalidation can at any time: no
# pointer into them may be kept.  This needs a server with assertions.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;

plan skip_all => 'the server was built without assertions'
  if $node->safe_psql('postgres', 'SHOW debug_assertions') eq 'off';

my $models = q(
	CREATE TABLE author (
		LIKE dtmodel.timestamp_mixin INCLUDING ALL,
		LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
		LIKE dtmodel.configurable_mixin INCLUDING ALL,
		LIKE dtmodel.audit_mixin INCLUDING ALL,
		id int PRIMARY KEY
	);
	CREATE TABLE book (
		LIKE dtmodel.soft_delete_mixin INCLUDING ALL,
		id int PRIMARY KEY,
		author int NOT NULL REFERENCES author ON DELETE CASCADE
	);
	SELECT dtmodel.add_timestamps('author'), dtmodel.add_audit('author'),
		   dtmodel.add_settings('author', '{theme}'),
		   dtmodel.add_soft_delete('author'), dtmodel.add_soft_delete('book');
	SELECT dtmodel.add_history('author', '{settings}');
	SELECT dtmodel.require_live_parent('book', 'author'),
		   dtmodel.create_live_view('author');
);
my $rows = q(
	SELECT dtmodel.create(NULL::author, '{"id": 1, "theme": "dark"}');
	SELECT dtmodel.create(NULL::book, '{"id": 2, "author": 1}');
	DELETE FROM author;
	SELECT dtmodel.restore(a) FROM author AS a;
	DELETE FROM live_author;
);
my $end = q(
	SELECT dtmodel.remove_live_parent('book', 'author');
	DROP VIEW live_author;
	SELECT dtmodel.remove_history('author', true);
	SELECT dtmodel.remove_audit('author'), dtmodel.remove_soft_delete('book');
);

$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');
for my $preload ('', 'dtmodel')
{
	local $ENV{PGOPTIONS} =
	  "-c debug_discard_caches=1 -c session_preload_libraries=$preload";
	my $tier = $preload ? 'preloaded' : 'trigger';

	is( $node->safe_psql(
			'postgres',
			"SET client_min_messages = warning; $models $rows
			SELECT author.is_deleted AND book.is_deleted, dtmodel.describe('author') -> 'drift',
				   (SELECT string_agg(operation, ' ' ORDER BY valid_to) FROM author_history),
				   (SELECT count(*) FROM author_as_of(now()))
			FROM author JOIN book ON book.author = author.id;"
		) =~ s/.*\n//sr,
		't|[]|delete restore delete|1',
		"$tier tier");
	$node->safe_psql('postgres', "$end DROP TABLE book, author");
}

done_testing();

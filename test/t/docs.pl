
# The README and the pages in docs are correct and complete.
#
# Every ```sql block runs, page by page and in order, in a psql session on a
# database of the page's own, and must not fail.  The one of a page in docs has
# the extension; the one of the README has not, so that it begins with CREATE
# EXTENSION.  A block that is marked ```sql preloaded runs in a session that
# preloads the library.
#
# A ```text block right after a ```sql block (nothing but blank lines between
# them) is what psql prints for it: psql -X -q, the default format.  So it has
# no command tags, and no NOTICEs since it is the standard output alone.  One
# that begins with ERROR is the error in which the block ends.  Blanks
# at the end of a line and empty lines at the end of a block do not matter,
# since an editor may take them off.  What differs each time, such as a time or
# a UUID, may be written as an ellipsis (U+2026), which stands for any
# characters of its line.  The session's time zone is UTC.
#
# Every link between the pages leads to a heading or a file.  Every function,
# view, template, trigger and switch that the extension brings is in the
# reference, and has a COMMENT.  The README can be read in one sitting.

use strict;
use warnings;

use File::Basename qw(basename dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# TAP tests run where the Makefile is.
my @pages = ('README.md', glob('docs/*.md docs/clients/*.md'));
my %text = map { $_ => slurp_file($_) } glob('*.md'), @pages;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
$node->append_conf('postgresql.conf', 'timezone = UTC');
$node->start;
my $version = $node->safe_psql('postgres', 'SHOW server_version_num');

cmp_ok(scalar @pages, '>', 10, 'there are pages');
cmp_ok(length $text{'README.md'}, '<=', 15_000, 'the README is short');

###
# The examples
###

# Each block of SQL of a text, with the line where it begins, and its expected
# output.
sub read_blocks
{
	my ($text) = @_;
	my @blocks;
	my $last;

	while ($text =~ /^```(\w*)([^\n]*)\n(.*?)^```[ \t]*$/msg)
	{
		my ($language, $mark, $body, $end) = ($1, $2, $3, $+[0]);
		my $line = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
		my $follows = defined $last
		  && substr($text, $last->{end}, $-[0] - $last->{end}) =~ /^\s*$/;

		if ($language eq 'sql')
		{
			$body =~ s/^.*-- PostgreSQL 15 and later$//mg if $version < 150000;
			$last = {
				line => $line,
				sql => $body,
				preloaded => $mark eq ' preloaded',
				end => $end
			};
			push @blocks, $last;
			next;
		}
		$last->{output} = $body if $language eq 'text' && $follows;
		undef $last;
	}
	return @blocks;
}

my $marker = '=== the next block begins ===';

# The input of psql for a block: markers for both of its output streams, and no
# ON_ERROR_STOP if the block is expected to end in an error.
sub script
{
	my ($block) = @_;
	my $sql = "\\echo $marker\n\\warn $marker\n";
	my $fails = ($block->{output} // '') =~ /^ERROR:/;

	$sql .= "\\set ON_ERROR_STOP 0\n" if $fails;
	$sql .= "\\connect -reuse-previous=on \"options='-c session_preload_libraries=dtmodel'\"\n"
	  if $block->{preloaded};
	$sql .= $block->{sql};
	$sql .= "\n\\connect -reuse-previous=on \"options=''\"\n" if $block->{preloaded};
	$sql .= "\n\\set ON_ERROR_STOP 1\n" if $fails;
	return $sql;
}

# Runs them all, and returns what each of them printed, on both streams; less of
# them if one fails.
sub run_blocks
{
	my ($page, $database, @blocks) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . "/$database.sql";
	my ($stdout, $stderr) = ('', '');

	append_to_file($file, join('', map { script($_) } @blocks));
	my $ran = IPC::Run::run(
		[
			'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d',
			$node->connstr($database), '-f', $file
		],
		'>', \$stdout,
		'2>', \$stderr);
	my (undef, @printed) = split(/^\Q$marker\E\n/m, $stdout, -1);
	my (undef, @said) = split(/^\Q$marker\E\n/m, $stderr, -1);

	ok($ran, "$page: all blocks of SQL run")
	  or diag("the one in line $blocks[$#printed]{line} does not:\n$said[-1]");
	return map { { output => $printed[$_], messages => $said[$_] } } 0 .. $#printed;
}

# The error that psql prints, without its position in the file.
sub error
{
	my ($messages) = @_;
	return ($messages =~ /^psql:[^\n]*?: (ERROR:.*)\z/ms) ? $1 : '';
}

sub trim
{
	my ($text) = @_;
	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n*\z/\n/;
	return $text;
}

# The text as a pattern: an ellipsis, with the blanks around it, stands for
# anything.
sub pattern
{
	my ($text) = @_;
	my $pattern =
	  join('[^\n]*', map { quotemeta } split(/ *\xe2\x80\xa6 */, $text, -1));
	return qr/\A$pattern\z/;
}

# What is in docs/clients is taken from the tests of the clients.
foreach my $page (grep { !m{^docs/clients/} } @pages)
{
	my $database = basename($page, '.md');
	my @blocks = read_blocks($text{$page}) or next;

	$node->safe_psql('postgres', qq(CREATE DATABASE "$database"));
	$node->safe_psql($database, 'CREATE EXTENSION dtmodel') if $page ne 'README.md';
	my @printed = run_blocks($page, $database, @blocks);

	foreach my $i (grep { defined $blocks[$_]{output} } 0 .. $#printed)
	{
		my $said = trim($blocks[$i]{output});
		my $printed = trim(
			$said =~ /^ERROR:/
			? error($printed[$i]{messages})
			: $printed[$i]{output});

		# "is" shows both when they differ.
		is( $printed =~ pattern($said) ? $said : $printed,
			$said, "$page: the block in line $blocks[$i]{line} prints what follows it");
	}
}

###
# The links
###

# A heading's anchor, as the usual sites make it.
sub anchors
{
	my ($text) = @_;
	my %anchors;

	$text =~ s/^```.*?^```//msg;
	foreach my $heading ($text =~ /^#+ (.*)$/mg)
	{
		my $anchor = lc $heading;
		$anchor =~ s/[^\w\- ]//g;
		$anchor =~ tr/ /-/;
		$anchors{$anchor} = 1;
	}
	return \%anchors;
}

my %anchors = map { $_ => anchors($text{$_}) } keys %text;

foreach my $page (@pages)
{
	my @broken;

	foreach my $link ($text{$page} =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^https?:/;
		my ($file, $anchor) = split(/#/, $link, 2);
		my $target = $file eq '' ? $page : dirname($page) . "/$file";
		1 while $target =~ s{(^|/)[^/.]+/\.\./}{$1};
		$target =~ s{^\./}{};

		push @broken, $link
		  unless -e $target
		  && (!defined $anchor || $anchors{$target} && $anchors{$target}{$anchor});
	}
	is("@broken", '', "$page: all links lead somewhere");
}

foreach my $page (grep { $_ ne 'README.md' } @pages)
{
	my ($from, $link) = ('README.md', $page);

	($from, $link) = ('docs/orm.md', $1) if $page =~ m{^docs/(clients/.*)};
	like($text{$from}, qr/\]\(\Q$link\E\)/, "$from leads to $page");
}

###
# The inventory
###

my $reference = $text{'docs/reference.md'};

# In code: after a schema's name, or within backticks.
sub is_named
{
	my ($name) = @_;
	return $reference =~ /\bdtmodel\w*\.\Q$name\E\b|`[^`\n]*\b\Q$name\E\b[^`\n]*`/;
}

$node->safe_psql('postgres', 'CREATE EXTENSION dtmodel');
my $members = $node->safe_psql(
	'postgres', q(
	SELECT DISTINCT o.kind, o.name, bool_and(coalesce(o.comment, '') <> '')
	FROM pg_depend AS d
	JOIN pg_extension AS e ON e.oid = d.refobjid
	JOIN (
		SELECT 'pg_proc'::regclass AS classid, oid AS objid, 'function' AS kind,
			   proname AS name, obj_description(oid, 'pg_proc') AS comment
		FROM pg_proc
		UNION ALL
		SELECT 'pg_class'::regclass, oid, 'relation', relname,
			   obj_description(oid, 'pg_class')
		FROM pg_class
		UNION ALL
		SELECT 'pg_operator'::regclass, oid, 'operator', oprname,
			   obj_description(oid, 'pg_operator')
		FROM pg_operator
		UNION ALL
		SELECT 'pg_event_trigger'::regclass, oid, 'event trigger', evtname,
			   obj_description(oid, 'pg_event_trigger')
		FROM pg_event_trigger
	) AS o USING (classid, objid)
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	  AND e.extname = 'dtmodel'
	GROUP BY o.kind, o.name ORDER BY o.kind, o.name));
cmp_ok(scalar(split(/\n/, $members)), '>', 20, 'the extension has members');
foreach my $member (split(/\n/, $members))
{
	my ($kind, $name, $has_comment) = split(/\|/, $member);

	ok(is_named($name), "$kind $name is in the reference");
	is($has_comment, 't', "$kind $name has a comment");
}

my $switches = $node->safe_psql('postgres',
	"LOAD 'dtmodel'; SELECT name FROM pg_settings WHERE name LIKE 'dtmodel.%' ORDER BY 1"
);
isnt($switches, '', 'the extension has switches');
foreach my $name (split(/\n/, $switches))
{
	ok(is_named($name =~ s/^dtmodel\.//r), "switch $name is in the reference");
}

isnt(
	$node->safe_psql(
		'postgres',
		q(SELECT obj_description(oid, 'pg_extension') FROM pg_extension WHERE extname = 'dtmodel')
	),
	'',
	'the extension has a comment');

$node->stop;
done_testing();

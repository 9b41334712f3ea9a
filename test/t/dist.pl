
# What packages are made of: "make dist" makes an archive of what git tracks,
# with one line where it cannot; and META.json, the control file, the changelogs
# and the packages agree on the version and on what there is.

use strict;
use warnings;

use Cwd;
use IO::Uncompress::Unzip qw($UnzipError);
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

# make is run on its own, not as a part of the make that runs the tests.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEFILES MAKEOVERRIDES)};

my $dir = PostgreSQL::Test::Utils::tempdir();

# What a pattern finds in a file.
sub found
{
	my ($file, $pattern) = @_;

	return slurp_file($file) =~ $pattern ? $1 : undef;
}

###
# Versions
###
my $meta = decode_json(slurp_file('META.json'));
my $provided = $meta->{provides}{dtmodel};
my $version = found('dtmodel.control', qr/^default_version = '(.*)'$/m);

is($meta->{version}, "$version.0", 'the distribution has the version of the control file');
is($provided->{version}, $meta->{version}, 'the extension has that of the distribution');
is(found('CHANGELOG.md', qr/^## (\S+)/m), $version, 'CHANGELOG.md begins with it');
is(found('debian/changelog', qr/^dtmodel \((.*)-\d+\)/), $meta->{version}, 'so does that of Debian');
is(found('packaging/dtmodel.spec', qr/^Version:\s+(\S+)/m), $meta->{version}, 'the RPM has it');
like(found('packaging/dtmodel.spec', qr/^%changelog\n(.*)/m),
	qr/ \Q$meta->{version}\E-\d+PGDG$/, 'and so has its changelog');

# CREATE EXTENSION runs the script of a version, and updates lead from there.
my %script = map { m{sql/dtmodel--([^-]+)(?:--([^-]+))?\.sql} ? ($2 // $1 => $_) : () } glob('sql/*.sql');
ok($script{$version}, "there is a script that leads to $version");

###
# META.json, as pgxn.org/spec has it
###
ok(defined $meta->{$_}, "META.json has $_")
  foreach qw(name version abstract maintainer license provides meta-spec description tags);
ok(-f $provided->{$_}, "there is the $_ that it names") foreach qw(file docfile);
ok(-d, "there is a folder $_") foreach @{ $meta->{no_index}{directory} };
is(scalar(grep { m{[/\\[:cntrl:]]} || length > 255 } @{ $meta->{tags} }), 0, 'its tags are words');
is($meta->{prereqs}{$_}{requires}{PostgreSQL}, '14.0.0', "PostgreSQL 14 is enough: $_")
  foreach qw(build test runtime);

# The oldest major is the same everywhere.
is(found('debian/pgversions', qr/^(\d+)\+$/m), 14, 'and for Debian');

###
# The archive
###
my $tree = "$dir/tree";

sub dist
{
	my ($path, @arguments) = @_;
	my ($stdout, $stderr);
	local $ENV{PATH} = $path;

	IPC::Run::run([ 'make', @arguments, 'dist' ],
		'>', \$stdout, '2>', \$stderr, init => sub { chdir $tree });
	$stderr =~ s/^make: .*\n//mg;
	return ($? >> 8, $stdout, $stderr);
}

sub is_refused
{
	my ($name, $message, $path) = @_;
	my ($status, $stdout, $stderr) = dist($path);

	isnt($status, 0, "$name: is refused");
	is($stdout, '', "$name: prints nothing");
	return is($stderr, "$message\n", "$name: says why in one line");
}

# In a checkout, there are files that git does not track.
mkdir $tree;
system_or_bail('cp', '-r', 'Makefile', 'META.json', 'dtmodel.control', 'sql', $tree);

# All that make needs but git.
mkdir "$dir/bin";
foreach my $name (qw(make sh sed))
{
	my ($program) = grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH});
	symlink($program, "$dir/bin/$name");
}
is_refused('no git', 'make dist needs git', "$dir/bin");

SKIP:
{
	skip 'there is no git', 8 if system('git --version >/dev/null 2>&1') != 0;

	is_refused('no checkout', 'make dist needs a checkout: git does not track these files',
		$ENV{PATH});

	my @git = ('git', '-C', $tree, '-c', 'user.name=x', '-c', 'user.email=x@localhost.invalid');
	my $zip = "dtmodel-$meta->{version}.zip";
	system_or_bail(@git, 'init', '--quiet');
	system_or_bail(@git, 'add', '.');
	system_or_bail(@git, 'commit', '--quiet', '--message', 'x');
	append_to_file("$tree/untracked", 'x');

	my ($status, $stdout, $stderr) = dist($ENV{PATH});
	is($status, 0, 'make dist') or diag($stderr);
	is($stdout, "$zip\n", 'it names the archive, and prints nothing else');
	is($stderr, '', 'and no errors');

	my ($tracked) = run_command([ @git, 'ls-files' ]);
	my $unzip = IO::Uncompress::Unzip->new("$tree/$zip") or die $UnzipError;
	my @names;
	do { push @names, $unzip->getHeaderInfo->{Name} } while ($unzip->nextStream > 0);
	is( join("\n", sort grep { !/\/$/ } @names),
		join("\n", map { "dtmodel-$meta->{version}/$_" } sort split(/\n/, $tracked)),
		'the archive has what git tracks');

	mkdir "$dir/elsewhere";
	system_or_bail('make', '--silent', '-C', "$dir/elsewhere", '-f', "$tree/Makefile", 'dist');
	ok(-s "$dir/elsewhere/$zip", 'in another folder the archive is made there');
}

done_testing();

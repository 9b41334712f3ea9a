
# make: what it prints without a server, that objects that were compiled for one
# server are not linked for another one, and that it builds everything in another
# folder too.  And what the installed library costs a session that loads it.
#
# The compiler is one that only makes the file it is asked for.  (make check has
# clang build in another folder, really.)

use strict;
use warnings;

use Cwd;
use File::Find;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Test::More;

# make is run on its own, not as a part of the make that runs the tests.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL MAKEFILES MAKEOVERRIDES)};

my $dir = PostgreSQL::Test::Utils::tempdir();
my $source = "$dir/source";
my $build = "$dir/build";
my $pg_config = $ENV{PG_CONFIG} // 'pg_config';

# TAP tests run where the Makefile is; objects that are there stay there.
mkdir $source;
mkdir $build;
system_or_bail('cp', '-r', 'Makefile', 'dtmodel.control', 'sql', 'src', $source);
my @objects;
find(
	sub {
		unlink if /\.(o|bc)$/;
		push @objects, $File::Find::name =~ s/^\Q$source\E\/(.*)\.c$/$1.o/r if /\.c$/;
	},
	"$source/src");
cmp_ok(scalar @objects, '>', 50, 'there are sources');

sub make_script
{
	my ($name, $text) = @_;

	append_to_file("$dir/$name", "#!/bin/sh\n$text");
	chmod 0755, "$dir/$name";
	return "$dir/$name";
}

my $compiler = make_script('cc',
	'while [ $# -gt 0 ]; do [ "$1" != -o ] || : >"$2"; shift; done');
my $other_server = make_script('other_server',
	qq('$pg_config' "\$@" | sed 's/^PostgreSQL .*/PostgreSQL 99.1/'));
my $no_headers = make_script('no_headers', q(printf '%s\n' 'PostgreSQL 15.1' /nowhere));

# What make answers: its status, and what it says.
sub make_in
{
	my ($folder, @arguments) = @_;
	my ($stdout, $stderr);

	IPC::Run::run(
		[ 'make', '-C', $folder, 'with_llvm=no', "CC=$compiler", @arguments ],
		'>', \$stdout, '2>', \$stderr);
	return ($? >> 8, $stdout, $stderr);
}

# The objects that make would compile.
sub compiled
{
	my ($status, $stdout, $stderr) = make_in(@_, '-n');

	return join("\n", sort $stdout =~ / -c -o (\S+\.o) /g);
}

sub is_built
{
	my ($folder, $name, @arguments) = @_;

	is(compiled($folder, @arguments), join("\n", sort @objects),
		"$name: make compiles everything");
	my ($status, $stdout, $stderr) = make_in($folder, @arguments);
	is($status, 0, "$name: make") or diag($stderr);
	my ($link) = $stdout =~ / -o dtmodel\.so (.*)/;
	is(join("\n", sort grep { /\.o$/ } split(/ /, $link // '')),
		join("\n", sort @objects), "$name: and links everything");
	return is_up_to_date($folder, $name, @arguments);
}

sub is_up_to_date
{
	my ($folder, $name, @arguments) = @_;
	my ($status) = make_in($folder, '-q', @arguments);

	return is($status, 0, "$name: nothing is left to do");
}

###
# No server
###
sub is_refused
{
	my ($name, $message, @arguments) = @_;
	my ($status, $stdout, $stderr) = make_in(@arguments);

	$stderr =~ s/^make: (Entering|Leaving) .*\n//mg;
	isnt($status, 0, "$name: is refused");
	like($stderr, $message, "$name: says what to do");
	return is(scalar(() = $stderr =~ /\n/g), 1, "$name: in one line");
}

is_refused(
	'no pg_config',
	qr/There is no PG_CONFIG=\/nowhere\/pg_config: install PostgreSQL .* with its server headers/,
	$source, 'PG_CONFIG=/nowhere/pg_config');
is_refused(
	'no headers',
	qr/The server of PG_CONFIG=\Q$no_headers\E has no headers: install PostgreSQL .* with its server headers/,
	$source, "PG_CONFIG=$no_headers", 'install');

###
# In another folder
###
my @there = ('-f', "$source/Makefile", "VPATH=$source", "PG_CONFIG=$pg_config");

is_built($build, 'another folder', @there);
my ($status, $stdout) = make_in($build, '-n', 'install', @there);
like($stdout, qr/\Q$source\E\/+dtmodel\.control/, 'another folder: the control file is installed');
like($stdout, qr/\Q$source\E\/+sql\/dtmodel--1\.0\.sql/, 'another folder: the script is installed');
ok(!-e "$source/built_for", 'another folder: nothing is left where the sources are');

# Without VPATH, and where make finds the Makefile by a relative name.
is_up_to_date($build, 'a relative name', '-f', '../source/Makefile', "PG_CONFIG=$pg_config");

###
# Another server
###
my @other = ('-f', "$source/Makefile", "VPATH=$source", "PG_CONFIG=$other_server");

is_built($build, 'another server', @other);
is_built($build, 'and back', @there);
is_built($source, 'the same folder', "PG_CONFIG=$pg_config");
is_built($source, 'the same folder, another server', "PG_CONFIG=$other_server");

utime(undef, undef, "$source/src/dtmodel.h");
is_built($source, 'a header has changed', "PG_CONFIG=$other_server");

###
# make would use what was compiled where the sources are
###
is_refused('compiled twice', qr/has objects of its own: run "make clean" there/, $build, @there);
make_in($source, 'clean', "PG_CONFIG=$pg_config");
is_built($build, 'after make clean', @there);

###
# What loading the library costs: other libraries, and symbols to look up
###
sub lines_of
{
	my ($stdout, $stderr) = run_command(\@_);

	return split(/\n/, $stdout);
}

SKIP:
{
	skip 'there is no readelf', 3 if system('readelf --version >/dev/null 2>&1') != 0;

	my ($folder) = lines_of($pg_config, '--pkglibdir');
	my ($programs) = lines_of($pg_config, '--bindir');
	my $library = "$folder/dtmodel.so";
	my %loaded = map { $_ => 1 }
	  map { m{^\s*(?:\S*/)?(\S+) (?:=>|\()} } lines_of('ldd', "$programs/postgres");
	my @needed = map { /\(NEEDED\).*\[(.*)\]/ } lines_of('readelf', '-dW', $library);
	is(join(' ', grep { !$loaded{$_} } @needed),
		'', 'it needs no library that the server has not loaded');

	# A symbol that the library has itself has a value.
	my @looked_up = map { / R_\S+ +([0-9a-f]+) +([^\s@]+)/ ? [ $1, $2 ] : () }
	  lines_of('readelf', '-rW', $library);
	cmp_ok(scalar @looked_up, '>', 100, 'it has symbols to look up in the server');
	is(join(' ', map { $_->[1] } grep { $_->[0] !~ /^0+$/ } @looked_up),
		'', 'and none in itself');
}

done_testing();


# A test that does things at random, or for as long as one likes.
#
#   my $campaign = Campaign->new(scripts => 600);
#   foreach my $i (1 .. $campaign->size) { ...; $campaign->progress($i); }
#   $campaign->found("$statements statements");
#
# DTMODEL_SEED repeats a run: it is what rand begins with.  DTMODEL_TIMES says how
# many times as much is done as "make check" does, or which part of it: 20, 0.1.
#
# Each minute there is a line of progress, and a summary at the end, also where
# the test dies; "make check" prints these lines, and TAP has them as comments.
package Campaign;

use strict;
use warnings;

use File::Basename qw(basename);
use Test::More;

my $current;

# Campaign->new(WHAT => HOW MANY): what is counted, and how many "make check" does.
# "least" is the fewest that make sense.
sub new
{
	my ($class, $what, $many, %options) = @_;
	my $self = bless {
		name => basename($0, '.pl'),
		what => $what,
		size => int($many * ($ENV{DTMODEL_TIMES} || 1)),
		seed => $ENV{DTMODEL_SEED} // int(rand(2**31)),
		done => 0,
		found => [],
		begin => time,
		told => time
	}, $class;
	my $least = $options{least} // 1;

	$self->{size} = $least if $self->{size} < $least;
	srand($self->{seed});
	note("DTMODEL_SEED=$self->{seed}, $self->{size} $what");
	return $current = $self;
}

sub seed { my ($self) = @_; return $self->{seed}; }
sub size { my ($self) = @_; return $self->{size}; }

# A seed for setseed(), another one each time.
sub fraction { return sprintf('%.9f', rand()); }

# Calls a function for so many at once: the numbers of the first and the last.
# They are those that the campaign counts, or others on the way.
sub parts
{
	my ($self, $size, $function, $all) = @_;
	my $last = 0;

	while ($last < ($all // $self->{size}))
	{
		my $first = $last + 1;

		$last = $last + $size < ($all // $self->{size}) ? $last + $size : $all // $self->{size};
		$function->($first, $last);
		defined $all ? $self->progress($self->{done}) : $self->progress($last);
	}
	return;
}

# Waits for programs that IPC::Run has started.  The function says how much they
# have done.
sub wait
{
	my ($self, $function, @programs) = @_;

	while (grep { $_->pumpable } @programs)
	{
		# One that ends meanwhile cannot be pumped.
		foreach my $program (grep { $_->pumpable } @programs)
		{
			eval { $program->pump_nb; };
		}
		$self->progress($function->()) if $self->is_due;
		select(undef, undef, undef, 0.1);
	}
	return;
}

sub is_due { my ($self) = @_; return time - $self->{told} >= 60; }

# So many are done.
sub progress
{
	my ($self, $done) = @_;

	$self->{done} = $done;
	return if !$self->is_due;
	$self->{told} = time;
	$self->tell('progress', "$done of $self->{size} $self->{what}");
	return;
}

# What else the summary says.
sub found
{
	my ($self, @found) = @_;
	push @{ $self->{found} }, @found;
	return;
}

# To stderr, where prove does not hold it back.
sub tell
{
	my ($self, $kind, @facts) = @_;
	my $seconds = time - $self->{begin};

	diag("$kind: $self->{name}: " . join(', ', @facts, "$seconds s, seed $self->{seed}"));
	return;
}

END
{
	my $status = $?;

	# Nothing is said of a test that was skipped.
	if ($current && ($status != 0 || Test::More->builder->current_test > 0))
	{
		my $passed = $status == 0 && Test::More->builder->is_passing;
		my $done = $passed ? $current->{size} : "$current->{done} of $current->{size}";

		$current->tell('campaign', $passed ? 'passed' : 'FAILED', "$done $current->{what}", @{ $current->{found} });
	}
	$? = $status;
}

1;

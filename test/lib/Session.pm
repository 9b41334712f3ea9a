
# A psql that stays open: what it is asked takes its time, and several of them
# overlap.
#
#   my $session = Session->new($node, preload => 1);
#   my ($out, $state) = $session->ask('SELECT 1;');
#   $session->begin('SELECT pg_sleep(1);'); ...; my ($out, $state) = $session->end;
#
# "state" is the SQLSTATE of the last statement.  Nothing has a limit of time.
package Session;

use strict;
use warnings;

use IPC::Run;

sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { in => '', out => '', err => '', asked => 0 }, $class;
	local $ENV{PGOPTIONS} = $options{preload} ? '-c session_preload_libraries=dtmodel' : '';

	$self->{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', '-' ],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err});
	($self->{pid}) = $self->ask('SELECT pg_backend_pid();') =~ /(\d+)/;
	return $self;
}

sub pid { my ($self) = @_; return $self->{pid}; }

# What it printed to stderr in answer to what it was asked last.
sub errors { my ($self) = @_; return $self->{err}; }

sub begin
{
	my ($self, $sql) = @_;

	$self->{asked}++;
	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql\n\\warn \@\@$self->{asked}\n\\echo \@\@$self->{asked} :SQLSTATE\n";
	$self->{run}->pump_nb;
	return;
}

# Whether the answer is there.
sub has_ended
{
	my ($self) = @_;

	$self->{run}->pump_nb if $self->{run}->pumpable;
	return $self->answered;
}

sub answered
{
	my ($self) = @_;

	return $self->{out} =~ /^\@\@$self->{asked} \S+\n\z/m && $self->{err} =~ /^\@\@$self->{asked}\n\z/m;
}

sub end
{
	my ($self) = @_;

	until ($self->answered)
	{
		die "a session has ended: $self->{err}\n" if !$self->{run}->pumpable;
		$self->{run}->pump;
	}
	$self->{out} =~ s/^\@\@\d+ (\S+)\n\z//m;
	my $state = $1;

	$self->{err} =~ s/^\@\@\d+\n\z//m;
	return wantarray ? ($self->{out}, $state) : $self->{out};
}

sub ask
{
	my ($self, $sql) = @_;

	$self->begin($sql);
	return $self->end;
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
	return;
}

1;

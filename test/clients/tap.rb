# frozen_string_literal: true

# Results of an application, in the Test Anything Protocol. Each says what it shows, and
# whether the tier matters, for test/harness/client-table:
#
#   ok 7 - the count of a soft DELETE # delete, by tier: [0,1]

require 'json'

module Tap
  @results = []
  @shown = nil
  @tiers = ''

  class << self
    attr_accessor :shown, :tiers
    attr_reader :results
  end

  module_function

  # What the results that follow show.
  def feature(name)
    Tap.shown = name
  end

  # What the next result expects, which is not the same in both tiers.
  def by_tier(trigger, preloaded)
    Tap.tiers = ", by tier: #{JSON.generate([trigger, preloaded])}"
    ENV.fetch('DTMODEL_TIER') == 'preloaded' ? preloaded : trigger
  end

  def ok(passed, name)
    Tap.results << (passed ? true : false)
    puts "#{'not ' unless passed}ok #{Tap.results.size} - #{name} # #{Tap.shown}#{Tap.tiers}"
    Tap.tiers = ''
    passed
  end

  def equal(got, expected, name)
    ok(got == expected, name) or
      puts "#      got: #{got.inspect}", "# expected: #{expected.inspect}"
  end

  # Whether the block raises the error, which it returns.
  def raises(error, name)
    yield
    ok(false, name)
    nil
  rescue error => e
    ok(true, name)
    e
  end

  # The class of the error that the block raises, as a word, if any.
  def caught(error)
    yield
    'no error'
  rescue error => e
    e.class.name
  end

  def done
    puts "1..#{Tap.results.size}"
    exit(Tap.results.any? && Tap.results.all?)
  end
end

$stdout.sync = true

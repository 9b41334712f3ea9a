# frozen_string_literal: true

# Results of an application, in the Test Anything Protocol.
module Tap
  @results = []

  module_function

  def ok(passed, name)
    Tap.results << (passed ? true : false)
    puts "#{'not ' unless passed}ok #{Tap.results.size} - #{name}"
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

  def done
    puts "1..#{Tap.results.size}"
    exit(Tap.results.any? && Tap.results.all?)
  end

  def self.results
    @results
  end
end

$stdout.sync = true

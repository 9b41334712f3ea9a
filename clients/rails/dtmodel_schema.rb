# frozen_string_literal: true

# dtmodel for Rails: migrations, schema.rb and fixtures.
module DtModel
  # SELECT dtmodel.add_slug('posts', "source" => 'title')
  def self.call_of(connection, function, table, options)
    arguments = options.map { |name, value| ", #{connection.quote_column_name(name)} => #{literal(connection, value)}" }
    "SELECT dtmodel.#{function}(#{connection.quote(table.to_s)}#{arguments.join})"
  end

  def self.literal(connection, value)
    case value
    when Hash then connection.quote(value.to_json)
    when Array then connection.quote(PG::TextEncoder::Array.new.encode(value.map(&:to_s)))
    when Symbol then connection.quote(value.to_s)
    else connection.quote(value)
    end
  end

  # For migrations that can be reversed.
  #
  #   class CreatePosts < ActiveRecord::Migration[6.1]
  #     include DtModel::Migration
  #
  #     def change
  #       create_table(:posts, id: :uuid, default: 'dtmodel.uuidv7()') { |t| t.text :title }
  #       dtmodel :posts, model: {}, soft_delete: { hide: true }, slug: { source: :title }
  #     end
  #   end
  module Migration
    def dtmodel(table, **mixins)
      reversible do |direction|
        direction.up { mixins.each { |name, options| execute(DtModel.call_of(self, "add_#{name}", table, options)) } }
        direction.down do
          mixins.keys.reverse_each do |name|
            drop = name == :history ? :drop_history : :drop_columns
            execute(DtModel.call_of(self, "remove_#{name}", table, drop => true))
          end
        end
      end
    end

    def unique_live(table, *columns)
      reversible do |direction|
        names = [table, *columns].map { |name| quote(name.to_s) }.join(', ')
        direction.up { execute("SELECT dtmodel.unique_live(#{names})") }
        direction.down { remove_index table, name: "uq_#{[table, *columns].join('_')}" }
      end
    end
  end

  # Writes mixins to schema.rb, and the type timestamptz, which Rails knows from 7.0 on:
  # ActiveRecord::ConnectionAdapters::PostgreSQL::SchemaDumper.prepend(DtModel::SchemaDumper)
  module SchemaDumper
    private

    # Rails writes schemas from 7.1 on. CREATE EXTENSION makes these, and refuses them if they are there.
    def schemas(stream)
      written = StringIO.new
      super(written)
      stream.print written.string.gsub(/^  create_schema "dtmodel(_internal)?"\n/, '')
    end

    def tables(stream)
      super
      stream.puts
      (mixin_calls + live_parent_calls).each { |call| stream.puts "  execute #{call.inspect}" }
    end

    def mixin_calls
      models.flat_map do |table, mixins, description|
        description.slice(*mixins).map { |mixin, options| DtModel.call_of(@connection, "add_#{mixin}", table, options) }
      end
    end

    # Parents have to be models first.
    def live_parent_calls
      models.flat_map do |table, _, description|
        description.fetch('live_parents', []).map do |columns|
          "SELECT dtmodel.require_live_parent(#{[table, *columns].map { |name| @connection.quote(name) }.join(', ')})"
        end
      end
    end

    # add_history makes the table of a history.
    def ignored?(table)
      super || models.any? { |*, description| description.dig('past', 'table') == table }
    end

    def models
      @models ||= @connection.select_rows(<<~SQL).map { |table, *json| [table, *json.map { |text| JSON.parse(text) }] }
        SELECT model::text, array_to_json(mixins), dtmodel.describe(model)
        FROM dtmodel.models
        WHERE mixins <> '{}' ORDER BY model::text
      SQL
    end

    def schema_type(column)
      column.sql_type.match?(/\Atimestamp.*with time zone/) ? 'timestamptz' : super
    end
  end

  # Rails empties a table before it loads fixtures into it. As a role that cannot disable
  # triggers, it would delete softly, and the keys would still be there:
  # ActiveRecord::ConnectionAdapters::PostgreSQLAdapter.prepend(DtModel::Fixtures)
  module Fixtures
    def insert_fixtures_set(*)
      DtModel.with_setting(:hard_delete, self) { DtModel.with_setting(:with_deleted, self) { super } }
    end
  end
end

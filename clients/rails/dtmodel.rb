# frozen_string_literal: true

# dtmodel for Rails: a concern for models. Copy it with dtmodel_schema.rb to lib, and
# require it in config/application.rb.
#
#   class ApplicationRecord < ActiveRecord::Base
#     self.abstract_class = true
#     include DtModel
#   end

require_relative 'dtmodel_schema'

module DtModel
  extend ActiveSupport::Concern

  # What the block writes is written by this actor, until the transaction ends.
  def self.with_actor(actor, connection = ActiveRecord::Base.connection)
    set = ->(value) { connection.execute("SELECT dtmodel.set_actor(#{connection.quote(value)})") }
    connection.transaction(requires_new: true) do
      outer = connection.uncached { connection.select_value("SELECT current_setting('dtmodel.actor', true)") }
      set.call(actor.to_s)
      yield.tap { set.call(outer.to_s) }
    end
  end

  # A setting for the block, until the transaction ends.
  def self.with_setting(name, connection)
    set = ->(value) { connection.execute("SET LOCAL dtmodel.#{name} = #{value}") }
    connection.transaction(requires_new: true) do
      outer = connection.uncached { connection.select_value("SELECT current_setting('dtmodel.#{name}', true)") }
      set.call('on')
      yield.tap { set.call(outer.presence || 'off') }
    end
  end

  included do
    # The database has the clock.
    self.record_timestamps = false

    # That of add_version, where there is one.
    self.locking_column = 'version'

    # What the database writes beside what is saved, read again after each save.
    class_attribute :server_columns, instance_writer: false, default: %w[
      created_at updated_at created_by updated_by is_deleted deleted_at slug version
    ]
    after_save :read_server_columns
    after_touch :read_server_columns

    scope :live, -> { where(is_deleted: false) }
  end

  class_methods do
    # Rails gives each class its own default.
    def inherited(model)
      super
      model.locking_column = locking_column
    end

    # Restores a row and what was deleted with it. The query cache would answer a second call.
    def restore(id)
      row = uncached { find_by_sql(["SELECT * FROM dtmodel.restore(NULL::#{quoted_table_name}, ?)", id]) }.first
      connection.clear_query_cache
      row&.id ? row : raise(ActiveRecord::RecordNotFound.new("Couldn't find #{name}", name, primary_key, id))
    end

    # Shows, in the block, the rows that `hide` hides.
    def with_deleted(&block)
      DtModel.with_setting(:with_deleted, connection) { uncached(&block) }
    end

    # A trigger cannot make the server count a soft DELETE, on which destroy, its
    # after_commit and optimistic locking rely. An UPDATE counts.
    def _delete_record(constraints)
      preloaded = connection.select_value('SELECT dtmodel.tier()') == 'preloaded'
      return super if preloaded || !column_names.include?('is_deleted')

      _update_record({ 'is_deleted' => true }, constraints.merge('is_deleted' => false))
    end
  end

  # The row, live again. A destroyed object is frozen, so this is another one.
  def restore
    self.class.restore(id)
  end

  # Makes a version too, so that the next save would be stale.
  def update_columns(*)
    super.tap { read_server_columns }
  end

  private

  def read_server_columns
    names = server_columns & self.class.column_names
    return if names.empty?

    row = self.class.uncached { self.class.unscoped.select(names).find_by(self.class.primary_key => id) }
    return unless row

    names.reject { |name| self[name] == row[name] }
         .each { |name| @attributes.write_from_database(name, row.read_attribute_before_type_cast(name)) }
  end
end

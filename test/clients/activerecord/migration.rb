# frozen_string_literal: true

class CreateBlog < ActiveRecord::Migration[6.1]
  include DtModel::Migration

  def change
    create_table :users, id: :uuid, default: 'dtmodel.uuidv7()' do |t|
      t.text :name, null: false
      t.text :email, null: false
    end
    dtmodel :users, model: {}, soft_delete: {},
                    settings: { valid_settings: %w[theme language], schema: { theme: { enum: %w[light dark], default: 'light' } } }
    unique_live :users, :email

    create_table :posts, id: :uuid, default: 'dtmodel.uuidv7()' do |t|
      t.references :user, type: :uuid, null: false, foreign_key: { on_delete: :cascade }
      t.text :title, null: false
    end
    dtmodel :posts, model: {}, soft_delete: { hide: true, deleted_by: :deleted_by }, audit: {}, version: {}, slug: { source: :title }

    create_table :tags, id: :uuid, default: 'dtmodel.uuidv7()' do |t|
      t.text :name, null: false, index: { unique: true }
    end
    dtmodel :tags, model: {}

    create_table :post_tags, id: false do |t|
      t.references :post, type: :uuid, null: false, foreign_key: { on_delete: :cascade }
      t.references :tag, type: :uuid, null: false, foreign_key: { on_delete: :cascade }
      t.index %i[post_id tag_id], unique: true
    end
  end
end

class AddHistory < ActiveRecord::Migration[6.1]
  include DtModel::Migration

  def change
    dtmodel :tags, history: { exclude: %i[created_at] }
  end
end

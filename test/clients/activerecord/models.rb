# frozen_string_literal: true

class ApplicationRecord < ActiveRecord::Base
  self.abstract_class = true
  include DtModel
end

class User < ApplicationRecord
  has_many :posts, -> { live }, dependent: :destroy
  has_many :all_posts, class_name: 'Post'
  store_accessor :settings, :theme, :language
  validates :email, uniqueness: { conditions: -> { live } }, on: :form
end

class Post < ApplicationRecord
  belongs_to :user
  has_many :post_tags
  has_many :tags, through: :post_tags
  after_commit(on: :destroy) { self.class.gone << id }

  def self.gone
    @gone ||= []
  end
end

class Tag < ApplicationRecord
  has_many :post_tags
  has_many :posts, through: :post_tags
end

class PostTag < ActiveRecord::Base
  belongs_to :post
  belongs_to :tag
end

# The same tables with Rails' own join table, and with the cascade of the database.
class TaggedPost < ApplicationRecord
  self.table_name = 'posts'
  has_and_belongs_to_many :tags, join_table: 'post_tags', foreign_key: 'post_id'
end

class Account < ApplicationRecord
  self.table_name = 'users'
end

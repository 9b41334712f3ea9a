'use strict';

/*
 * The columns of dtmodel's templates, as Sequelize declares them:
 *
 *     const { modelBase, softDelete, setActor } = require('dtmodel/sequelize')(require('sequelize'));
 *     sequelize.define('User', { ...modelBase(), ...softDelete(), name: DataTypes.TEXT },
 *         { tableName: 'users', timestamps: false });
 *
 * The server fills them. Their defaults are written out for sync(), and since
 * Sequelize validates that a column that must not be null has a value.
 */
module.exports = ({ DataTypes, literal }) => ({
    modelBase: () => ({
        id: { type: DataTypes.UUID, primaryKey: true, defaultValue: literal('dtmodel.uuidv7()') },
        created_at: { type: DataTypes.DATE, allowNull: false, defaultValue: literal('now()') },
        updated_at: { type: DataTypes.DATE, allowNull: false, defaultValue: literal('now()') },
    }),
    softDelete: () => ({
        is_deleted: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: false },
        deleted_at: { type: DataTypes.DATE },
    }),
    audit: (type = DataTypes.TEXT) => ({ created_by: { type }, updated_by: { type }, deleted_by: { type } }),
    slug: () => ({ slug: { type: DataTypes.TEXT } }),
    settings: () => ({ settings: { type: DataTypes.JSONB } }),

    /* Who acts in this transaction. */
    setActor: (transaction, actor) =>
        transaction.sequelize.query('SELECT dtmodel.set_actor($1)', { bind: [actor], transaction }),
});

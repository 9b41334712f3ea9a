module.exports = {
    dialect: 'postgresql',
    schema: './schema.js',
    /* What dtmodel makes beside the tables, and drizzle-kit would drop. */
    tablesFilter: ['!live_*', '!*_history*'],
    dbCredentials: { host: process.env.PGHOST, user: process.env.PGUSER, database: process.env.PGDATABASE, ssl: false },
};

'use strict';

/*
 * Runs the function in a transaction of its own, in which the actor has
 * written what it writes, and returns its result. It gets a client of the pool
 * of node-postgres, which goes back to the pool afterwards, without an actor.
 */
async function withActor(pool, actor, write) {
    const client = await pool.connect();
    let broken;
    try {
        await client.query('BEGIN');
        await client.query('SELECT dtmodel.set_actor($1)', [actor]);
        const result = await write(client);
        await client.query('COMMIT');
        return result;
    } catch (error) {
        await client.query('ROLLBACK').catch((failure) => {
            broken = failure;
        });
        throw error;
    } finally {
        client.release(broken);
    }
}

module.exports = { withActor };

// The session check of src/http/session.rs: the same statement, the same limits, and the same write
// of the last use, at most once a minute.

import { cache } from 'react';
import { cookies } from 'next/headers';
import { pool, statement } from './database';

const ABSOLUTE_SECONDS = 24 * 3600;
const IDLE_SECONDS = 120 * 60;
const SEEN_EVERY_SECONDS = 60;

const TOUCH = `UPDATE sessions SET data = jsonb_set(data, '{seen_at}', to_jsonb($2::bigint)), expires_at = to_timestamp($3) WHERE id = $1`;

const signedIn = statement('sessions/signed_in.sql');

/** The signed-in user, once a request. */
export const viewer = cache(async () => {
  const id = (await cookies()).get('auth_token')?.value;
  if (!id) return null;
  const { rows: [row] } = await signedIn([id]);
  if (!row) return null;
  const now = Math.floor(Date.now() / 1000);
  if (row.signed_in_at === null || now - row.signed_in_at >= ABSOLUTE_SECONDS) {
    await pool.query('DELETE FROM sessions WHERE id = $1', [id]);
    return null;
  }
  if (row.seen_at === null || now - row.seen_at >= SEEN_EVERY_SECONDS) {
    await pool.query(TOUCH, [id, now, now + IDLE_SECONDS]);
  }
  return { email: row.email, role: row.role, customer: row.customer_id, name: row['customer_name?'] };
});

// PostgreSQL: a pool as large as ours (Leptos.toml), and our server's own statements.

import { readFileSync } from 'node:fs';
import pg from 'pg';

// bigint as a JavaScript number: the amounts of the list are far below 2⁵³.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const CONNECTIONS = 16;

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: CONNECTIONS, statement_timeout: 30_000 });

/** A prepared statement of our server: a file in src/store/postgres, which BENCH_SQL names. */
export function statement(file) {
  let text;
  return (values) => {
    text ??= readFileSync(`${process.env.BENCH_SQL}/${file}`, 'utf8');
    return pool.query({ name: file, text, values });
  };
}

/**
 * A pinned connection to PostgreSQL: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import pg from "pg";
import { tlsOptions } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const host = process.env.PGHOST ?? "db.example.com";

const pool = new pg.Pool({
  host,
  port: Number(process.env.PGPORT ?? 5432),
  user: "app",
  database: "app",
  max: 4,
  // pg resumes no TLS sessions, so the check runs on every connection.
  ssl: tlsOptions(policy, { hostname: host }),
});

try {
  const { rows } = await pool.query("SELECT 1 AS one");
  console.log(rows);
} catch (error) {
  console.error(error.code, error.message);
  process.exitCode = 1;
} finally {
  await pool.end();
}

/**
 * The Stripe SDK behind your own gateway, pinned: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import Stripe from "stripe";
import { createFetch } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const fetch = createFetch(policy);
const { hostname, port } = new URL(
  process.env.API ?? "https://api.example.com/",
);
const stripe = new Stripe(process.env.STRIPE_KEY ?? "your key", {
  httpClient: Stripe.createFetchHttpClient(fetch),
  host: hostname,
  port: port || 443,
  maxNetworkRetries: 0,
});

try {
  const customer = await stripe.customers.create({ name: "Ada" });
  console.log(customer.id);
} catch (error) {
  console.error(error.detail?.cause?.code, error.message);
  process.exitCode = 1;
} finally {
  await fetch.close();
}

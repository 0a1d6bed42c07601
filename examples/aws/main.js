/**
 * The AWS SDK on a pinned agent, for S3 of your own: npm install && npm start
 */
import process from "node:process";
// @ts-ignore: from npm, see package.json
import { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3";
// @ts-ignore: from npm, see package.json
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { createAgent } from "@certpin/certpin/node";
import policy from "./pins.json" with { type: "json" };

const agent = createAgent(policy, { keepAlive: true });
const s3 = new S3Client({
  endpoint: process.env.API ?? "https://api.example.com/",
  region: "us-east-1",
  credentials: { accessKeyId: "your id", secretAccessKey: "your key" },
  requestHandler: new NodeHttpHandler({ httpsAgent: agent, httpAgent: agent }),
  maxAttempts: 1,
});

try {
  const { Buckets } = await s3.send(new ListBucketsCommand({}));
  console.log(Buckets);
} catch (error) {
  console.error(error.code, error.message);
  process.exitCode = 1;
} finally {
  agent.destroy();
}

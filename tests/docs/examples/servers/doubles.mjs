/**
 * Stands in for the services that SDKs talk to: answers the one request that
 * an example makes, and nothing else.
 */
import http from "node:http";

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function json(response, value) {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

const ANSWERS = {
  "POST /v1/chat/completions": (response, body) => {
    const { messages } = JSON.parse(body);
    json(response, {
      id: "chat-1",
      object: "chat.completion",
      choices: [{
        index: 0,
        finish_reason: "stop",
        message: {
          role: "assistant",
          content: `you said: ${messages[0].content}`,
        },
      }],
    });
  },
  "POST /v1/customers": (response, body) => {
    const name = new URLSearchParams(body).get("name");
    json(response, { id: `cus_${name}`, object: "customer", name });
  },
  "GET /rest/v1/notes": (response) => json(response, [{ id: 1 }]),
  "GET /": (response) => {
    response.setHeader("content-type", "application/xml");
    response.end(
      '<?xml version="1.0"?><ListAllMyBucketsResult><Buckets><Bucket><Name>one</Name></Bucket></Buckets></ListAllMyBucketsResult>',
    );
  },
};

async function mcp(request, response) {
  const { McpServer } = await import(
    "@modelcontextprotocol/sdk/server/mcp.js"
  );
  const { StreamableHTTPServerTransport } = await import(
    "@modelcontextprotocol/sdk/server/streamableHttp.js"
  );
  const server = new McpServer({ name: "double", version: "1.0.0" });
  server.registerTool("greet", { description: "Says hello" }, () => ({
    content: [{ type: "text", text: "hello" }],
  }));
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: undefined,
    enableJsonResponse: true,
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
}

/** One server for all of them. */
export async function doubles(listen) {
  return await listen(http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/mcp") return await mcp(request, response);
    const answer = ANSWERS[`${request.method} ${pathname}`];
    const body = await read(request);
    if (answer !== undefined) return answer(response, body);
    response.statusCode = 404;
    response.end(`nothing at ${request.method} ${request.url}\n`);
  }));
}

/**
 * Runs the examples and the snippets of the documents, in one workshop.
 */
import "./example_tests.ts";
import "./real_server_tests.ts";
import "./snippet_tests.ts";

/**
 * What buf would generate for the service of the relay:
 * `service Echo { rpc Say(StringValue) returns (StringValue); }`
 */
const { create, createFileRegistry } = await import("@bufbuild/protobuf");
const { file_google_protobuf_wrappers, FileDescriptorProtoSchema } =
  await import("@bufbuild/protobuf/wkt");

const wrappers = "google/protobuf/wrappers.proto";
const type = ".google.protobuf.StringValue";

const file = create(FileDescriptorProtoSchema, {
  name: "demo.proto",
  package: "demo",
  syntax: "proto3",
  dependency: [wrappers],
  service: [{
    name: "Echo",
    method: [{ name: "Say", inputType: type, outputType: type }],
  }],
});

export const Echo = createFileRegistry(
  file,
  (name) => name === wrappers ? file_google_protobuf_wrappers : undefined,
).getService("demo.Echo");

/** The scene of the shared bodies, set once for the tests of the pinner. */
import { makeScene } from "../../conformance/core/scene.ts";

export { ders, HOST, NOW, parsed, say } from "../../conformance/core/scene.ts";
export const { minted, other, pins, anchors, policyOf, pinnerOf, peerOf, ask } =
  await makeScene();

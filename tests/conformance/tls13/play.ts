/**
 * Plays a handshake between the client and a scripted server, in memory, and
 * tells what both sides saw.
 */
import { CertpinError, type ErrorCode } from "../../../src/errors.ts";
import { open } from "../../../src/tls13/open.ts";
import { defaultProfile, type Profile } from "../../../src/tls13/profile.ts";
import type { TlsOptions, TlsStream } from "../../../src/tls13/types.ts";
import {
  ClientAlert,
  connectionPair,
  HOSTNAME,
  type Script,
  TestServer,
} from "./server.ts";

/** What is not as usual on the client's side. */
export interface ClientSettings {
  readonly profile?: Partial<Profile>;
  readonly options?: Partial<TlsOptions>;
}

/** What both sides saw. */
export interface Outcome {
  /** What the client ended with; undefined if the handshake went well. */
  readonly code: ErrorCode | undefined;
  readonly error: unknown;
  /** What the server was told; undefined if it saw no alert. */
  readonly alert: string | undefined;
  readonly isAlertEncrypted: boolean | undefined;
  /** How often the client asked for a verdict. */
  readonly verdicts: number;
  /** Whether the server saw a Finished. */
  readonly isFinished: boolean;
}

/** Starts a client against a server's end of the stream. */
export async function startClient(
  stream: ReturnType<typeof connectionPair>["client"],
  settings: ClientSettings = {},
): Promise<TlsStream> {
  return await open(
    stream,
    {
      hostname: HOSTNAME,
      verify: () => Promise.resolve(),
      ...settings.options,
    },
    { ...await defaultProfile(), ...settings.profile },
  );
}

/** Plays one handshake to its end, and ends the connection. */
export async function play(
  script: Script,
  settings: ClientSettings = {},
  act: (server: TestServer) => Promise<void> = (server) => server.sendFlight(),
): Promise<Outcome> {
  const { client, server: end } = connectionPair();
  const server = new TestServer(end, script);
  let verdicts = 0;
  const opened = startClient(client, {
    ...settings,
    options: {
      ...settings.options,
      verify: async (chain) => {
        verdicts++;
        await settings.options?.verify?.(chain);
      },
    },
  }).then(
    (tls) => ({ tls, error: undefined }),
    (error: unknown) => ({ tls: undefined, error }),
  );
  let alert: string | undefined;
  let isAlertEncrypted: boolean | undefined;
  let isFinished = false;
  const served = (async () => {
    try {
      await act(server);
      await server.readFinished();
      isFinished = true;
    } catch (error) {
      if (error instanceof ClientAlert) {
        alert = error.alert;
        isAlertEncrypted = error.isEncrypted;
        return;
      }
      // The client may be gone before the server has said everything: then its
      // alert is still to be read.
      const record = await server.readRecord().catch(() => undefined);
      if (record?.type === 20) {
        const next = await server.readRecord().catch(() => undefined);
        if (next) {
          ({ alert, isEncrypted: isAlertEncrypted } = new ClientAlert(next));
        }
      } else if (record) {
        ({ alert, isEncrypted: isAlertEncrypted } = new ClientAlert(record));
      }
    }
  })();
  const { tls, error } = await opened;
  await served;
  await tls?.close();
  return {
    code: error instanceof CertpinError ? error.code : undefined,
    error,
    alert,
    isAlertEncrypted,
    verdicts,
    isFinished,
  };
}

/**
 * Rules for the leaf (RFC 5280, RFC 9525, Baseline Requirements).
 *
 * @module
 */
import { formatAddress } from "../host.ts";
import { MAX_HOSTNAME_LENGTH } from "../limits.ts";
import { KEY_USAGE } from "../x509/extensions.ts";
import { attributeText, COMMON_NAME } from "../x509/names.ts";
import { classifyKey } from "./algorithms.ts";
import * as common from "./common_rules.ts";
import { namesMatchHost } from "./hostname.ts";
import { refuse, type Rule, waiveOrRefuse } from "./rule.ts";
import { SERVER_AUTH } from "./purposes.ts";

/** RFC 3279, 5480, 8410 and the Baseline Requirements, section 6.1.5: the key. */
const keyAlgorithm: Rule = ({ record }) => {
  const key = classifyKey(record.publicKey);
  if (typeof key === "string") refuse("algorithm", record, key);
};

/** RFC 5280, sections 4.2.1.3 and 4.2.1.9: a server's key serves TLS and signs no certificates. */
const leafKeyUsage: Rule = ({ record }) => {
  const { keyUsage, basicConstraints } = record.decoded;
  if (keyUsage === undefined) return;
  if (keyUsage & KEY_USAGE.keyCertSign && !basicConstraints?.ca) {
    refuse("leaf-key-cert-sign", record, "keyCertSign without the CA bit");
  }
  const { digitalSignature, keyEncipherment, keyAgreement } = KEY_USAGE;
  if (!(keyUsage & (digitalSignature | keyEncipherment | keyAgreement))) {
    refuse("leaf-key-usage", record, "its keyUsage does not serve TLS");
  }
};

/** RFC 5280, section 4.2.1.12; anyExtendedKeyUsage is not enough on a server (Baseline Requirements, 7.1.2.7.10). */
const leafExtendedKeyUsage: Rule = ({ record }) => {
  const purposes = record.decoded.extendedKeyUsage;
  if (purposes && !purposes.includes(SERVER_AUTH)) {
    refuse(
      "leaf-extended-key-usage",
      record,
      "its extKeyUsage lacks serverAuth",
    );
  }
};

/** RFC 9525, section 6: subjectAltName alone, no fallback to the common name. */
const hostname: Rule = ({ record, host }) => {
  const names = record.decoded.subjectAltName ?? [];
  if (host && !namesMatchHost(names, host)) {
    refuse(
      "hostname",
      record,
      `its subjectAltName does not name "${host.text}"`,
    );
  }
};

/**
 * Baseline Requirements, section 7.1.4.3: a common name that is one of the
 * certificate's hosts is written as it is there. Another spelling (hexadecimal
 * or zero-padded addresses) is how two readers come to see two hosts, and an
 * internationalised name beside other names is how a person does. Letter case
 * does not count, since private authorities mix it freely.
 */
const commonName: Rule = (place) => {
  const { record } = place;
  const names = record.decoded.subjectAltName ?? [];
  // Sets, since a certificate may have thousands of both.
  const dnsNames = new Set(
    names.flatMap((name) =>
      name.kind === "dns" ? [name.text.toLowerCase()] : []
    ),
  );
  const addresses = new Set(
    names.flatMap((name) =>
      name.kind === "ip" ? [formatAddress(name.bytes)] : []
    ),
  );
  for (const { type, value } of record.subject.rdns.flat()) {
    if (type !== COMMON_NAME) continue;
    const text = attributeText(value) ?? "";
    const host = hostReadLoosely(text);
    if (host === undefined) continue;
    const isListed = dnsNames.has(text.toLowerCase());
    const isInternational = /(?:^|\.)xn--/.test(host) && host.includes(".");
    const isAnotherSpelling = (addresses.has(host) && text !== host) ||
      (dnsNames.has(host) && !isListed);
    if (isAnotherSpelling || (isInternational && !isListed)) {
      waiveOrRefuse(
        "common-name",
        place,
        "its common name spells a host otherwise than subjectAltName does",
      );
      return;
    }
  }
};

/** The host that a browser's address bar makes of the text, if any. */
function hostReadLoosely(text: string): string | undefined {
  if (text === "" || text.length > MAX_HOSTNAME_LENGTH) return undefined;
  if (/[\s/?#@\\%[\]]/.test(text)) return undefined;
  const authority = text.includes(":") ? `[${text}]` : text;
  try {
    return new URL(`https://${authority}/`).hostname.replace(/^\[|\]$/g, "");
  } catch {
    return undefined;
  }
}

/** What holds for the leaf, in order. */
export const LEAF_RULES: readonly Rule[] = [
  keyAlgorithm,
  common.keySize,
  common.version,
  common.serialNumber,
  common.extensions,
  common.criticalExtensions,
  common.notYetValid,
  common.expired,
  leafKeyUsage,
  leafExtendedKeyUsage,
  hostname,
  commonName,
];

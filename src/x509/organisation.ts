/**
 * Who a CA belongs to, as its subject says.
 *
 * @module
 */
import { type Certificate, recordOf } from "./certificate.ts";
import { attributeText } from "./names.ts";

/** The OID of the organizationName attribute. */
const ORGANISATION = "2.5.4.10";

/** The owner of a CA, by the organisation in its subject; undefined if it names none. */
export function organisationOf(certificate: Certificate): string | undefined {
  for (const { type, value } of recordOf(certificate).subject.rdns.flat()) {
    if (type === ORGANISATION) return attributeText(value)?.trim();
  }
}

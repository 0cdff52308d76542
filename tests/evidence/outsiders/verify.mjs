// Verifies DSSE envelopes with @sigstore/verify and nothing of plangate's: node verify.mjs KEYS.json < ENVELOPES.jsonl
// KEYS.json maps key ids to SPKI PEM. Prints one JSON line an envelope: {"ok": true} or {"ok": false, "code": "..."}.
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const keys = JSON.parse(readFileSync(process.argv[2], "utf8"));
const nothingElse = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
const trust = toTrustMaterial(nothingElse, (hint) => ({
  publicKey: createPublicKey(keys[hint]),
  validFor: () => true,
}));
const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  try {
    const dsseEnvelope = JSON.parse(line);
    const bundle = bundleFromJSON({
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      verificationMaterial: { publicKey: { hint: dsseEnvelope.signatures[0].keyid } },
      dsseEnvelope,
    });
    verifier.verify(toSignedEntity(bundle));
    console.log(JSON.stringify({ ok: true }));
  } catch (error) {
    console.log(JSON.stringify({ ok: false, code: error.code ?? error.name }));
  }
}

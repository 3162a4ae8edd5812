// An OpenID provider on loopback: PROVIDER.js ISSUER SETTINGS.json. Ready once it prints so.
import { readFileSync } from "node:fs";

const [module, issuer, file] = process.argv.slice(2);
const { default: Provider } = await import(module);
const { client, people, jwks, claims, ...more } = JSON.parse(readFileSync(file));
const provider = new Provider(issuer, {
  ...more,
  clients: [client],
  jwks,
  claims,
  cookies: { keys: ["a key of this test's alone"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
  // As in a company: nobody is asked whether its own programs may know who they are.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope(oidc.params.scope);
    await grant.save();
    return grant;
  },
});
const { hostname, port } = new URL(issuer);
provider.listen(Number(port), hostname, () => console.log("provider ready"));

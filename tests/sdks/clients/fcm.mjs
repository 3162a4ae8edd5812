import { redirectRequests } from "../redirect.mjs";

export default (require, { url, service_account, stranger }) => {
  redirectRequests(url);
  const { initializeApp, cert } = require("firebase-admin/app");
  const { getMessaging } = require("firebase-admin/messaging");
  const ours = initializeApp({ credential: cert(service_account) }, "ours");
  const other = { ...service_account, private_key: stranger };
  const strangers = initializeApp({ credential: cert(other) }, "strangers");
  return ({ by_stranger, ...message }) => getMessaging(by_stranger ? strangers : ours).send(message);
};

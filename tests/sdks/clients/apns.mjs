import { redirectHttp2 } from "../redirect.mjs";

export default (require, { apnsUrl, apns }) => {
  redirectHttp2(apnsUrl);
  const apn = require("@parse/node-apn");
  return async ({ device, topic, key_id = apns.key_id, alert }) => {
    const token = { key: apns.private_key, keyId: key_id, teamId: apns.team_id };
    const provider = new apn.Provider({ token, production: true });
    const note = new apn.Notification({ topic: topic ?? apns.topic, alert, pushType: "alert" });
    note.payload = { notification_id: "n1", delivery_id: "d1" };
    note.id = "11111111-2222-4333-8444-555555555555";
    const { sent, failed } = await provider.send(note, device);
    await provider.shutdown();
    return { sent, failed };
  };
};

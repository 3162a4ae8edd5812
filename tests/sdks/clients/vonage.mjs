export default (require, { url, vonage_api_key, vonage_api_secret, vonage }) => {
  const { Vonage } = require("@vonage/server-sdk");
  const { Auth } = require("@vonage/auth");
  const where = { restHost: url, apiHost: url };
  return async ({ api, secret = vonage_api_secret, ...message }) => {
    if (api === "messages") return new Vonage(new Auth(vonage), where).messages.send(message);
    const pair = new Auth({ apiKey: vonage_api_key, apiSecret: secret });
    return new Vonage(pair, where).sms.send(message);
  };
};

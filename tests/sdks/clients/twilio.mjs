export default (require, { url, twilio_account_sid, twilio_auth_token }) => {
  const twilio = require("twilio");
  return async ({ token = twilio_auth_token, ...message }) => {
    const client = twilio(twilio_account_sid, token);
    client.api.baseUrl = url;
    const { sid, status, to } = await client.messages.create(message);
    return { sid, status, to };
  };
};

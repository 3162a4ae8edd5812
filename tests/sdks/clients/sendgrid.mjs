export default (require, { url, sendgrid_api_key }) => {
  const mail = require("@sendgrid/mail");
  return async ({ key = sendgrid_api_key, ...message }) => {
    mail.setApiKey(key);
    mail.client.setDefaultRequest("baseUrl", url);
    const [{ statusCode, headers }] = await mail.send(message);
    return { statusCode, id: headers["x-message-id"] };
  };
};

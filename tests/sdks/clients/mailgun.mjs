export default (require, { url, mailgun_api_key, mailgun_domain }) => {
  const Mailgun = require("mailgun.js").default ?? require("mailgun.js");
  const mailgun = new Mailgun(FormData);
  return ({ key = mailgun_api_key, ...mail }) =>
    mailgun.client({ username: "api", key, url }).messages.create(mailgun_domain, mail);
};

export default (require, { url, postmark_server_token }) => {
  const { ServerClient } = require("postmark");
  const where = { useHttps: false, requestHost: new URL(url).host };
  return ({ token = postmark_server_token, mails }) =>
    new ServerClient(token, where).sendEmailBatch(mails);
};

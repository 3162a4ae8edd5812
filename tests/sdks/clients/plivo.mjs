export default (require, { url, plivo_auth_id, plivo_auth_token }) => {
  const plivo = require("plivo");
  return ({ token = plivo_auth_token, src, dst, text }) => {
    const where = { url: `${url}/v1/Account/${plivo_auth_id}` };
    return new plivo.Client(plivo_auth_id, token, where).messages.create({ src, dst, text });
  };
};

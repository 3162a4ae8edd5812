export default (require, { url, resend_api_key }) => {
  const { Resend } = require("resend");
  // It rejects nothing: an error is part of the answer.
  return async ({ key = resend_api_key, mails }) => {
    const { data, error } = await new Resend(key, { baseUrl: url }).batch.send(mails);
    return { data, error };
  };
};

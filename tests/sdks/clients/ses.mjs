export default (require, { url, aws }) => {
  const { SESv2Client, SendEmailCommand, SendBulkEmailCommand } = require("@aws-sdk/client-sesv2");
  return async ({ secret, bulk, ...mail }) => {
    const credentials = { ...aws.credentials, ...(secret && { secretAccessKey: secret }) };
    const client = new SESv2Client({ region: aws.region, endpoint: url, credentials, maxAttempts: 1 });
    return client.send(bulk ? new SendBulkEmailCommand(bulk) : new SendEmailCommand(mail));
  };
};

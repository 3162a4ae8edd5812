export default (require, { url, aws }) => {
  const { SNSClient, PublishCommand } = require("@aws-sdk/client-sns");
  return async ({ secret, ...message }) => {
    const credentials = { ...aws.credentials, ...(secret && { secretAccessKey: secret }) };
    const client = new SNSClient({ region: aws.region, endpoint: url, credentials, maxAttempts: 1 });
    return client.send(new PublishCommand(message));
  };
};

"""FCM, SendGrid and Twilio on loopback: their wire protocols, our faults, one outside witness."""

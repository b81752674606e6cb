DROP TABLE agents;
DROP TABLE organizations;

-- Read skew by conditions: the second condition would be true of what another has changed meanwhile
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T1: select * from test where value % 5 = 0;
T2: update test set value = 12 where value = 10;
T2: commit;
T1: select * from test where value % 3 = 0;
T1: commit;

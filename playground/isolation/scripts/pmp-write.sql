-- Predicate-many-preceders, of a write: a delete by a condition that an update makes true or false meanwhile
create table test (id int primary key, value int);
insert into test values (1, 10), (2, 20);

T1: begin;
T2: begin;
T2: select * from test where value = 20;
T1: update test set value = value + 10;
T2: delete from test where value = 20;
T1: commit;
T2: select * from test where value = 20;
T2: commit;
